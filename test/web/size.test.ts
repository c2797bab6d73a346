import { t } from '../tap.ts'
import { bytesOfWeb } from '../../scripts/bench/web/bytes.ts'

/** What a page may load before the chat works. The goal is 60 KB: `npm run bench -- web` shows how far it is. */
const MOST = 70 * 1024

t.test('the scripts that the chat loads before it runs have at most 70 KB, as gzip compresses them', async t => {
  const { chat } = bytesOfWeb()
  t.ok(chat <= MOST, `the chat has ${(chat / 1024).toFixed(1)} KB`)
})
