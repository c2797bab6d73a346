import { join } from 'node:path'
import { createMailer } from '../../src/mailer.ts'
import { createMailQueue, type Mail, type MailQueueDeps } from '../../src/services/mail-queue.ts'
import type { SmtpSettings } from '../../src/smtp-settings.ts'
import { eventually } from '../eventually.ts'
import { startSilent, startSmtp, type SmtpOptions } from '../smtp.ts'
import { t, type Test } from '../tap.ts'
import { createCertificates } from '../tls.ts'

const mail: Mail = { to: 'ann@example.org', subject: 'Hello', text: 'A code:\n\nxyz\n' }
const write = async (): Promise<Mail> => mail

/** Starts a queue over real SMTP that tries again after 20 ms. `lines` has what it logs. */
function start (t: Test, settings: Partial<SmtpSettings> & { url: string }, deps: Partial<MailQueueDeps> = {}) {
  const lines: Array<Record<string, unknown>> = []
  const send = createMailer({ from: 'Parley <parley@example.org>', tls_verify: true, ...settings })
  const logger = { warn: (line: object) => { lines.push({ ...line }) } }
  const queue = createMailQueue({ send, size: 10, logger, delays: [20, 20], ...deps })
  t.teardown(() => queue.close(0))
  return { ...queue, lines }
}

t.test('[P75] a mail is plain text, names its receiver only as such, and asks for no automatic answer', async t => {
  const smtp = await startSmtp(t)
  const { add, lines } = start(t, { url: smtp.url })
  add(write)
  const { from, to, raw, headers, text } = await smtp.next('ann@example.org')
  t.same({ from, to, text: text.trim() }, { from: 'parley@example.org', to: ['ann@example.org'], text: mail.text.trim() })
  t.match(headers, {
    from: 'Parley <parley@example.org>', to: 'ann@example.org', subject: 'Hello', 'auto-submitted': 'auto-generated',
    'content-type': /^text\/plain/
  })
  t.notMatch(raw, /html|multipart|x-mailer/i)
  t.same(lines, [])
})

t.test('nothing that an address or a text contains becomes a header or a further receiver', async t => {
  const smtp = await startSmtp(t)
  const { add } = start(t, { url: smtp.url, from: 'Ann, Ben: chat; x <parley@example.org>' })
  const subject = 'Hello\r\nBcc: eve@example.org\r\n\r\nbody'
  add(async () => ({ to: 'ann@example.org', subject, text: '.\r\nBcc: eve@example.org\r\n.\r\nQUIT\r\n' }))
  const { to, headers, text, raw } = await smtp.next('ann@example.org')
  t.same(to, ['ann@example.org'])
  t.notOk('bcc' in headers)
  t.match(headers.from, /^"Ann, Ben: chat; x" <parley@example\.org>$/)
  t.equal(raw.match(/^from:/gim)?.length, 1)
  t.match(text, /^\.\nBcc: eve@example\.org\n\.\nQUIT/)
})

t.test('a mail that the server refuses for now is sent again, the same one', async t => {
  const smtp = await startSmtp(t, { refusals: [451, 421] })
  const { add, lines } = start(t, { url: smtp.url })
  let written = 0
  add(async () => ({ ...mail, subject: `Mail ${++written}` }))
  t.equal((await smtp.next('ann@example.org')).headers.subject, 'Mail 1')
  t.equal(smtp.attempts, 3)
  t.match(lines, [{ attempts: 1, again: true, reason: 'EENVELOPE 451' }, { attempts: 2, again: true }])
})

t.test('a mail that the server refuses for good is dropped after one attempt, and the log does not name the receiver', async t => {
  const smtp = await startSmtp(t, { refusals: [550] })
  const { add, lines } = start(t, { url: smtp.url })
  add(write)
  await eventually(() => lines.length > 0)
  t.same(lines, [{ reason: 'EENVELOPE 550', attempts: 1, again: false }])
  add(async () => ({ ...mail, to: 'ben@example.org' }))
  await smtp.next('ben@example.org')
  t.equal(smtp.attempts, 2)
})

t.test('attempts are bounded where nobody listens, and a fault while the mail is written counts as one', async t => {
  const { add, lines } = start(t, { url: 'smtp://127.0.0.1:1' })
  add(write)
  await eventually(() => lines.length === 3)
  t.match(lines, [{ again: true, reason: /ECONNREFUSED/ }, { again: true }, { attempts: 3, again: false }])

  const smtp = await startSmtp(t)
  const second = start(t, { url: smtp.url })
  let faults = 1
  second.add(async () => {
    if (faults-- > 0) throw new Error('away')
    return mail
  })
  await smtp.next('ann@example.org')
  t.match(second.lines, [{ again: true, reason: 'error: away' }])
})

t.test('a silent server costs an attempt its time and no more; beyond its size the queue takes no mail', async t => {
  const silent = await startSilent(t)
  const { add, lines } = start(t, { url: silent.url }, { patience: 100, delays: [], size: 6 })
  for (let n = 0; n < 6; n++) add(write)
  t.throws(() => add(write), { code: 'busy' })
  await eventually(() => lines.length === 6)
  t.match(lines, Array.from({ length: 6 }, () => ({ attempts: 1, again: false })))
  await eventually(() => silent.open === 0)
  add(write)
  t.ok(silent.accepted >= 6)
})

t.test('no mail is sent where none is wanted, and closing drops what waits', async t => {
  const silent = await startSilent(t)
  const { add, close, lines } = start(t, { url: silent.url })
  add(async () => null)
  for (let n = 0; n < 6; n++) add(write)
  await eventually(() => silent.accepted === 4)
  await close(50)
  await eventually(() => silent.open === 0)
  t.match(lines, [{ mails: 2 }])
  t.throws(() => add(write), { code: 'busy' })
})

t.test('the URL and SMTP_CA decide about encryption, and no password is sent without it', async t => {
  const folder = t.testdir()
  const { selfSigned } = createCertificates(join(folder, 'certificates'))
  const certificate = selfSigned('localhost')
  const login = { user: 'ann@example.org', pass: 'p:/?#@%é' }
  const credentials = `${encodeURIComponent(login.user)}:${encodeURIComponent(login.pass)}@`
  const plain: SmtpOptions = { certificate }
  const upgradable: SmtpOptions = { certificate, offersTls: true }
  const ca = { ca: certificate.pem }
  const cases: Array<[string, SmtpOptions, string, string, Partial<SmtpSettings>, 'encrypted' | 'plain' | RegExp]> = [
    ['no STARTTLS offered', plain, 'smtp://', '', {}, 'plain'],
    ['STARTTLS offered', upgradable, 'smtp://', '', ca, 'encrypted'],
    ['an unknown authority', upgradable, 'smtp://', '', {}, /self-signed|certificate/],
    ['an unknown authority, not verified', upgradable, 'smtp://', '', { tls_verify: false }, 'encrypted'],
    ['required and offered', upgradable, 'smtp://', '?tls=required', ca, 'encrypted'],
    ['required and not offered', plain, 'smtp://', '?tls=required', ca, /ETLS|STARTTLS|upgrade/i],
    ['never', upgradable, 'smtp://', '?tls=never', {}, 'plain'],
    ['smtps', { certificate, isSecure: true }, 'smtps://', '', ca, 'encrypted'],
    ['smtps with an unknown authority', { certificate, isSecure: true }, 'smtps://', '', {}, /self-signed|certificate/],
    ['a login', { ...upgradable, login }, `smtp://${credentials}`, '', ca, 'encrypted'],
    ['a login where no STARTTLS is offered', { ...plain, login }, `smtp://${credentials}`, '', {}, /ETLS|STARTTLS|upgrade/i],
    ['a login where none is wanted', { ...plain, login }, `smtp://${credentials}`, '?tls=never', {}, 'plain'],
    ['a wrong login', { ...plain, login }, 'smtp://ann:wrong@', '?tls=never', {}, /^EAUTH 535$/]
  ]
  for (const [title, options, before, after, settings, expected] of cases) {
    const smtp = await startSmtp(t, options)
    const { add, lines } = start(t, { url: `${before}127.0.0.1:${smtp.port}${after}`, ...settings }, { delays: [] })
    add(write)
    const found = await eventually(() => smtp.mails[0] ?? lines[0])
    if (expected instanceof RegExp) t.match(found, { reason: expected }, title)
    else t.match(found, { isEncrypted: expected === 'encrypted' }, `${title}: ${JSON.stringify(lines)}`)
  }
})
