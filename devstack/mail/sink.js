'use strict'

// maildev, with two changes. It hides STARTTLS on purpose: with a certificate, this one offers it, and lets nobody
// log in before it (RFC 4954 §4). And it ends when a client breaks off a handshake: this one goes on.
const smtp = require('smtp-server')

smtp.SMTPServer = class extends smtp.SMTPServer {
  constructor (options) {
    const offered = options.cert && !options.secure
    super(offered ? { ...options, hideSTARTTLS: false, disabledCommands: [] } : options)
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
