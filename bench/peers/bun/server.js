// A server on Bun, as its guide to publish and subscribe has it, with a way to publish over HTTP:
// POST /publish?room=NAME passes the body on to the room.

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: process.env.PORT,
  async fetch(request, server) {
    const url = new URL(request.url)
    if (request.method === 'POST' && url.pathname === '/publish') {
      server.publish(url.searchParams.get('room'), await request.text())
      return new Response('published', { status: 202 })
    }
    if (url.pathname === '/ready') return new Response('ready')
    const room = url.searchParams.get('room')
    if (server.upgrade(request, { data: { room } })) return undefined
    return new Response('not a handshake', { status: 400 })
  },
  websocket: {
    open(socket) {
      socket.subscribe(socket.data.room)
      socket.send('joined')
    },
    message() {},
  },
})

console.log(`listening on ${server.url}`)
