import type { SendMail } from './services/mail-queue.ts'
import { readSender, readSmtpUrl, type SmtpSettings } from './smtp-settings.ts'

/** Milliseconds for a name look-up, for a connection, for the server's greeting, and without a byte from the server. */
const WAITS_MS = { dnsTimeout: 5000, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 15_000 }

/** Sends mails over SMTP, each over a connection of its own. `settings` have been checked by `checkSmtp`. */
export function createMailer ({ url, from, ca, tls_verify: verify }: SmtpSettings): SendMail {
  const { host, port, auth, tls } = readSmtpUrl(url, 'SMTP_URL')
  const sender = readSender(from)!
  const options = {
    host,
    port,
    ...auth && { auth },
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'never',
    tls: { rejectUnauthorized: verify, ...ca !== undefined && { ca } },
    // A text of a mail never names a file or a URL that is to be read.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...WAITS_MS
  }
  // The library is loaded only where mails are sent, because it takes a twentieth of the time that all other modules take.
  const transport = import('nodemailer').then(({ createTransport }) => createTransport(options))
  return async ({ to, subject, text }, signal) => {
    await (await transport).sendMail({
      from: sender,
      to: { name: '', address: to },
      envelope: { from: sender.address, to: [to] },
      subject,
      text,
      // [RFC 3834] No vacation notice answers such a mail.
      headers: { 'Auto-Submitted': 'auto-generated' },
      xMailer: false,
      signal
    })
  }
}
