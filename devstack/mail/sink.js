'use strict'

// maildev, with three changes. It hides STARTTLS on purpose: with a certificate, this one offers it, and lets nobody
// log in before it (RFC 4954 §4). It ends when a client breaks off a handshake: this one goes on. And it has a mailbox
// for everybody: this one has none for `refused@…`.
const smtp = require('smtp-server')

function onRcptTo ({ address }, session, answer) {
  const refused = new Error(`there is no mailbox ${address}`)
  answer(address.startsWith('refused@') ? Object.assign(refused, { responseCode: 550 }) : null)
}

smtp.SMTPServer = class extends smtp.SMTPServer {
  constructor (options) {
    const offered = options.cert && !options.secure
    super({ ...options, onRcptTo, ...(offered && { hideSTARTTLS: false, disabledCommands: [] }) })
  }

  emit (event, ...details) {
    if (event === 'error' && details[0].syscall !== 'listen') {
      console.error(String(details[0]))
      return true
    }
    return super.emit(event, ...details)
  }
}

const MailDev = require('maildev')

new MailDev().listen()
