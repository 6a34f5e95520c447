// A server on Socket.IO, tuned as its documentation has it (performance tuning, memory usage), with a
// way to publish over HTTP: POST /publish?room=NAME passes the body, some JSON, on to the room.

import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { Server } from 'socket.io'

const http = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost')
  if (request.method === 'POST' && url.pathname === '/publish') {
    io.to(url.searchParams.get('room')).emit('message', JSON.parse(await text(request)))
    response.writeHead(202, { 'content-length': 0 }).end()
  } else {
    const status = url.pathname === '/ready' ? 200 : 404
    response.writeHead(status, { 'content-length': 0 }).end()
  }
})

// Without long polling. The native add-ons of ws are used when they are installed, and they are.
const io = new Server(http, { transports: ['websocket'], serveClient: false })

// The request of the handshake need not stay.
io.engine.on('connection', (socket) => {
  socket.request = null
})

io.on('connection', (socket) => {
  socket.on('join', (room, joined) => {
    socket.join(room)
    joined()
  })
})

http.listen(Number(process.env.PORT), '127.0.0.1')
