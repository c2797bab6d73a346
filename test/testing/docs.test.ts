import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { root } from '../../scripts/root.ts'
import { createDatabase } from '../helper.ts'
import { runSnippets, snippetsOf } from '../snippets.ts'
import { t } from '../tap.ts'

const run = promisify(execFile)
const snippets = snippetsOf('testing.md', 'ts').join('\n')

t.test('the snippets of docs/testing.md compile against the declarations of parley/testing', async t => {
  // `npm run typecheck` checks these files too.
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'src/testing'), '--noCheck'])
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
    types: ['node'], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: true
  }
  // The file is in the folder of the package, which may import itself by its name, but not on the disk.
  const file = join(root, 'application.mts')
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, snippets, options.target!) : getSourceFile(name, ...rest)
  host.fileExists = name => name === file || fileExists(name)
  host.readFile = name => name === file ? snippets : readFile(name)
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host))
  t.same(found.map(({ messageText, start, file }) =>
    `${file?.fileName}:${file?.text.slice(0, start).split('\n').length}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`), [])
})

t.test('the snippets of docs/testing.md run', async t => {
  const env = { TEST_DATABASE_URL: await createDatabase(t) }
  const { stdout } = await runSnippets(t, 'testing-snippets', snippets, { loader: 'ts', args: ['--test-reporter=tap'], env })
    .catch((error: { stdout: string }) => error)
  const failed = [...stdout.matchAll(/^not ok .*?^ {2}\.\.\.$/gms)].map(([text]) => text)
  t.same(failed, [])
  t.match(stdout, new RegExp(`^# pass ${snippets.match(/^test\(/gm)!.length}$`, 'm'))
})
