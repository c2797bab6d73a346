// `npm run example -- NAME`: starts a server in memory with one of the examples, until Ctrl-C.
import { runCommand, UsageError } from './command.ts'
import { pages, startExample } from './examples.ts'

await runCommand(async ([name = '']) => {
  if (!(name in pages)) throw new UsageError(`usage: npm run example -- NAME, where NAME is ${Object.keys(pages).join(', ')}`)
  const { url, close } = await startExample(name)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, close)
  console.log(`Open ${url}`)
})
