import { printable } from '../../src/printable.ts'
import { operate } from '../operator/operate.ts'
import { openPostgres } from '../store/transfer/copying.ts'
import { t } from '../tap.ts'

t.test('characters that move the cursor or that hide, reorder or forge text are escaped; all other text is unchanged', async t => {
  for (const [text, shown] of [
    ['\x1b[31mred\x1b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\x07\x7f\x9b', '\\u{7}\\u{7f}\\u{9b}'],
    ['nimda\u202e\u2066\u200f', 'nimda\\u{202e}\\u{2066}\\u{200f}'],
    ['\u200b\ufeff\u00ad\u2028\u2029', '\\u{200b}\\u{feff}\\u{ad}\\u{2028}\\u{2029}'],
    ['\\u{1b}', '\\\\u{1b}'],
    ['\u{e0041}\ud800', '\\u{e0041}\\u{d800}']
  ] as const) t.equal(printable(text), shown, shown)
  for (const text of ['Ann', 'Zoë', '漢字', 'שלום', 'é', '😀', 'a b']) t.equal(printable(text), text)
})

t.test('npm run admin -- list prints each account on one line, whatever characters its name and email have', async t => {
  const database = await openPostgres(t)
  await database.prisma.user.create({ data: { email: 'a\x1b]0;x\x07@example.org', name: 'Ann\n\x1b[2Jroot@example.org  admin\u202e' } })
  t.equal(await operate(database, 'admin', 'list'),
    'a\\u{1b}]0;x\\u{7}@example.org  user  enabled  Ann\\n\\u{1b}[2Jroot@example.org  admin\\u{202e}\n')
  await t.rejects(operate(database, 'admin', 'disable', 'x\x1b[2J@y'), { message: 'no account has the email x\\u{1b}[2J@y' })
})
