import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { eventually } from './eventually.ts'
import type { Scope } from './helper.ts'
import type { Certificate } from './tls.ts'

/** A mail as the server has taken it. `headers`: by name in small letters. */
export interface ReceivedMail {
  from: string
  to: string[]
  raw: string
  headers: Record<string, string>
  text: string
  isEncrypted: boolean
}

export interface SmtpOptions {
  certificate?: Certificate
  /** TLS from the first byte on. */
  isSecure?: boolean
  /** Offers STARTTLS, and a login only on an encrypted connection. By default it offers neither. */
  offersTls?: boolean
  /** The user and password that a client has to log in with. */
  login?: { user: string, pass: string }
  /** The codes of the answers to the first attempts to send. After them the server takes every mail. */
  refusals?: number[]
}

/** Starts a real SMTP server on 127.0.0.1 that keeps what it takes. */
export async function startSmtp (scope: Scope, options: SmtpOptions = {}) {
  const { certificate, isSecure = false, offersTls = false, login, refusals = [] } = options
  const mails: ReceivedMail[] = []
  const state = { attempts: 0 }
  const left = [...refusals]
  const settings: SMTPServerOptions = {
    secure: isSecure,
    logger: false,
    closeTimeout: 100,
    disabledCommands: [...offersTls || isSecure ? [] : ['STARTTLS'], ...login ? [] : ['AUTH']],
    ...certificate && { key: readFileSync(certificate.key), cert: certificate.pem },
    authOptional: !login,
    allowInsecureAuth: !offersTls,
    onAuth ({ username, password }, _session, done) {
      if (username === login?.user && password === login?.pass) done(null, { user: username })
      else done(Object.assign(new Error('wrong'), { responseCode: 535 }))
    },
    onRcptTo ({ address }, _session, done) {
      state.attempts++
      const responseCode = left.shift()
      if (responseCode === undefined) done()
      else done(Object.assign(new Error(`no mail for ${address}`), { responseCode }))
    },
    onData (stream, { envelope, secure }, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        mails.push(read(Buffer.concat(chunks).toString(), from, envelope.rcptTo.map(({ address }) => address), secure))
        done()
      })
    }
  }
  const server = new SMTPServer(settings)
  // Clients that refuse the certificate end the connection.
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  scope.teardown(() => new Promise<void>(resolve => server.close(() => resolve())))

  const { port } = server.server.address() as AddressInfo
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    /** How often a client named a receiver. */
    get attempts () { return state.attempts },
    /** Waits for the next mail to this address, and takes it out of `mails`. */
    async next (address: string): Promise<ReceivedMail> {
      return eventually(() => {
        const found = mails.findIndex(({ to }) => to.includes(address))
        return found >= 0 && mails.splice(found, 1)[0]
      })
    }
  }
}

/** Starts a server that accepts connections and never says a word. */
export async function startSilent (scope: Scope) {
  const sockets = new Set<{ destroy (): void }>()
  const state = { accepted: 0 }
  const server = createServer(socket => {
    state.accepted++
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get accepted () { return state.accepted },
    get open () { return sockets.size }
  }
}

/** The code in a mail: in its link, or alone on a line. */
export function codeOf ({ text }: ReceivedMail): string {
  const [, linked, alone] = /#code=([\w-]+)$|^([\w-]{27})$/m.exec(text) ?? []
  const code = linked ?? alone
  if (code === undefined) throw new Error(`no code in: ${text}`)
  return code
}

function read (raw: string, from: string, to: string[], isEncrypted: boolean): ReceivedMail {
  const end = raw.indexOf('\r\n\r\n')
  const fields = raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  const headers = Object.fromEntries(fields.map(field => {
    const colon = field.indexOf(':')
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
  }))
  const body = raw.slice(end + 4)
  const text = headers['content-transfer-encoding'] === 'quoted-printable'
    ? body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    : body
  return { from, to, raw, headers, text: text.replaceAll('\r\n', '\n'), isEncrypted }
}
