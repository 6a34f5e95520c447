// Hears the lobby and speaks there, by what docs/API.md says and nothing else.
//
// Prints one JSON object per line: each step of its own and each message it takes, with the cursor to go on from. Each
// line of its input is a message to say. It begins with CURSOR, if there is one.

import { createInterface } from 'node:readline'
import { randomUUID } from 'node:crypto'
import WebSocket from 'ws'

const { CHAT_API, TOKEN, CURSOR } = process.env

function show(step, facts) {
  process.stdout.write(`${JSON.stringify({ step, ...facts })}\n`)
}

const socket = new WebSocket(`${CHAT_API.replace('http', 'ws')}/v1/ws`, 'chat.v1')
const tell = (type, facts) => socket.send(JSON.stringify({ type, ...facts }))

const known = new Set()
// Hints for a screen, which this has not.
const hints = ['counts', 'presence', 'typing', 'marker', 'rooms']
const frames = {
  ready({ user_id }) {
    show('ready', { user_id })
    tell('subscribe', { rooms: { lobby: CURSOR ?? null } })
  },
  resumed({ upto }) {
    show('resumed', { cursor: upto })
    createInterface({ input: process.stdin }).on('line', (content) => {
      tell('send', { ref: content, room_id: 'lobby', content, key: randomUUID() })
    })
  },
  ack({ ref, message_id, cursor }) {
    show('ack', { ref, message_id, cursor })
  },
  event({ cur, event }) {
    if (known.has(event.message_id)) return
    known.add(event.message_id)
    const { message_id, content, user_name } = event
    show('event', { cursor: cur, message_id, content, user_name })
  },
}

socket.on('open', () => tell('auth', { token: TOKEN }))
socket.on('message', (data) => {
  const { type, ...frame } = JSON.parse(data)
  if (hints.includes(type)) return
  const take = frames[type] ?? (() => show(type, frame))
  take(frame)
})
socket.on('close', (code, reason) => show('close', { code, reason: reason.toString() }))
