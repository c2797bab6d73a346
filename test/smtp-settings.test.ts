import { loadConfig } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'
import { isMailable, readSender, readSmtpUrl } from '../src/smtp-settings.ts'
import { t } from './tap.ts'

const from = { MAIL_FROM: 'parley@example.org' }
const url = { SMTP_URL: 'smtp://mail.example.org' }

/** The one line of the error with which the configuration is refused. */
function refusalOf (env: NodeJS.ProcessEnv): string {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError && !error.message.includes('\n')) return error.message
    throw error
  }
  return 'accepted'
}

t.test('an SMTP URL has a host, a port, credentials and a policy of encryption', async t => {
  const cases: Array<[string, object]> = [
    ['smtp://mail.example.org', { host: 'mail.example.org', port: 587, tls: 'offered' }],
    ['smtp://mail.example.org:25/', { port: 25 }],
    ['smtps://mail.example.org', { port: 465, tls: 'implicit' }],
    ['smtps://mail.example.org:4650', { port: 4650, tls: 'implicit' }],
    ['smtp://[::1]:2525', { host: '::1', port: 2525 }],
    ['smtp://ann%40example.org:p%3A%2F%3F%23%40%25@h', { auth: { user: 'ann@example.org', pass: 'p:/?#@%' }, tls: 'required' }],
    ['smtp://ann:p@h?tls=never', { tls: 'never' }],
    ['smtp://h?tls=required', { tls: 'required' }]
  ]
  for (const [text, expected] of cases) t.match(readSmtpUrl(text, 'SMTP_URL'), expected, text)
})

t.test('a mistake in an SMTP URL stops the start with one line that quotes nothing of the password', async t => {
  const cases: Array<[string, RegExp]> = [
    ['mail.example.org', /smtp:\/\/ or smtps:\/\//], ['http://mail.example.org', /smtp:\/\/ or smtps:\/\//], ['smtp://', /host is missing/],
    ['smtp://:25', /host is missing/], ['smtp://h:0', /port/], ['smtp://h:x', /port/], ['smtp://h:99999', /port/],
    ['smtp://::1', /brackets/],
    ['smtp://h_!', /host must be/], ['smtp://hush@h', /both stand before/], ['smtp://hush:@h', /both stand before/],
    ['smtp://:hush@h', /both stand before/], ['smtp://a:hush/1@h', /bare \//], ['smtp://a:hush@1@h', /bare @/],
    ['smtp://a:hush%1@h', /bare %/],
    ['smtp://h/path', /nothing may follow/], ['smtp://h#x', /bare #/], ['smtp://h?pool=true', /only tls/],
    ['smtp://h?tls=maybe', /required or never/],
    ['smtps://h?tls=never', /no meaning/], ['"smtp://h"', /quotes/], ['smtp://h h', /space/]
  ]
  for (const [text, message] of cases) {
    const refusal = refusalOf({ ...from, SMTP_URL: text })
    t.match(refusal, /^SMTP_URL: /, text)
    t.match(refusal, message, text)
    t.notMatch(refusal, /hush/, text)
  }
})

t.test('settings of mail that are missing or would do nothing stop the start', async t => {
  const cases: Array<[Record<string, string>, RegExp]> = [
    [url, /^MAIL_FROM is missing: SMTP_URL needs it/],
    [from, /^SMTP_URL is missing: MAIL_FROM does nothing/],
    [{ SMTP_CA: 'x' }, /^SMTP_URL is missing: SMTP_CA/],
    [{ SMTP_TLS_VERIFY: 'false' }, /^SMTP_URL is missing: SMTP_TLS_VERIFY=false/],
    [{ AUTHENTICATION_REQUIRE_VERIFIED_EMAIL: 'true' }, /^SMTP_URL is missing: .*AUTHENTICATION_REQUIRE_VERIFIED_EMAIL/],
    [{ ...url, ...from, SMTP_CA: '/nowhere.pem' }, /^SMTP_CA must be PEM text/],
    [{ ...from, SMTP_URL: 'smtp://h?tls=never', SMTP_TLS_VERIFY: 'false' }, /^SMTP_TLS_VERIFY=false does nothing with tls=never/],
    [{ ...url, ...from, SMTP_CA: 'x', SMTP_TLS_VERIFY: 'false' }, /^SMTP_CA does nothing with SMTP_TLS_VERIFY=false/],
    [{ ...url, MAIL_FROM: 'nobody' }, /^MAIL_FROM must be an email address/],
    [{ ...url, MAIL_FROM: 'A <a@b>, <c@d>' }, /^MAIL_FROM must be an email address/],
    [{ ...url, MAIL_FROM: 'A\nBcc: x <a@b>' }, /^MAIL_FROM must be an email address/],
    [{ ...url, ...from, MAIL_QUEUE_SIZE: '0' }, /^MAIL_QUEUE_SIZE must be/],
    [{ PUBLIC_URL: 'chat.example.org' }, /^PUBLIC_URL must be/], [{ PUBLIC_URL: 'https://h/?x' }, /^PUBLIC_URL must be/],
    [{ PUBLIC_URL: 'https://a:b@h/' }, /^PUBLIC_URL must be/], [{ PUBLIC_URL: 'javascript:x' }, /^PUBLIC_URL must be/]
  ]
  for (const [env, message] of cases) t.match(refusalOf(env), message, JSON.stringify(env))
  const { config, entries } = loadConfig({ ...url, ...from, PUBLIC_URL: 'https://chat.example.org/app/' })
  t.match(config, { mail: { url: url.SMTP_URL, from: from.MAIL_FROM, tls_verify: true, queue_size: 1000 } })
  t.equal(entries.find(({ key }) => key === 'mail.url')?.secret, true, 'the URL is shown masked')
})

t.test('a sender is an address or a name and an address, and mails go to addresses without special characters only', async t => {
  t.same(readSender('Parley <p@example.org>'), { name: 'Parley', address: 'p@example.org' })
  t.same(readSender('p@example.org'), { name: '', address: 'p@example.org' })
  for (const text of ['', 'p', '<p@e', 'p@e, q@e', 'a "b" <p@e>', 'P <p@e> <q@e>']) t.equal(readSender(text), null, text)
  const good = ['ann@example.org', 'ann+tag@example.org', "o'neil@example.org", 'ännchen@müller.example']
  const bad = ['a,b@example.org', '<ann@example.org', 'a"b@example.org', 'a\u0001@example.org', 'a;b@e', 'a@b@c', 'a:b@e', 'a\\b@e', '']
  t.same(good.filter(isMailable), good)
  t.same(bad.filter(isMailable), [])
})
