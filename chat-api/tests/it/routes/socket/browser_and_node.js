// Runs in a page and in Node: closes sockets with each code that a page may use, and lets itself be
// closed while it sends. Gives code and cleanness of each end as it sees them; no browser calls an end
// clean before which it had more to send.
async function ends(address, token) {
  const end = (act) =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://${address}/v1/ws`, ['chat.v1', `bearer.${token}`]);
      socket.onmessage = () => act(socket);
      socket.onclose = (event) => resolve([event.code, event.wasClean || socket.bufferedAmount > 0]);
    });
  const seen = [await end((socket) => socket.close())];
  for (const code of [1000, 3000, 4000]) {
    seen.push(await end((socket) => socket.close(code, 'bye')));
  }
  for (const length of [110_000, 500_000]) {
    seen.push(await end((socket) => socket.send('x'.repeat(length))));
  }
  seen.push(await end((socket) => socket.send('what?')));
  return seen;
}
