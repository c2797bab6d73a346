import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../../scripts/root.ts'
import { createHost, problemsOf } from '../compiler.ts'
import { createDatabase } from '../helper.ts'
import { runSnippets, snippetsOf } from '../snippets.ts'
import { t } from '../tap.ts'

const snippets = snippetsOf('testing.md', 'ts').join('\n')

t.test('the snippets of docs/testing.md compile against the declarations of parley/testing', async t => {
  t.same(declare(join(root, 'src/testing/tsconfig.json')), [])
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
    types: ['node'], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: true
  }
  // The file is in the folder of the package, which may import itself by its name, but not on the disk.
  const file = join(root, 'application.mts')
  const host = createHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, snippets, options.target!) : getSourceFile(name, ...rest)
  host.fileExists = name => name === file || fileExists(name)
  host.readFile = name => name === file ? snippets : readFile(name)
  t.same(problemsOf(ts.getPreEmitDiagnostics(ts.createProgram([file], options, host))), [])
})

/** Writes the declarations of a project without checking its types, which `npm run typecheck` does. @returns what is wrong with it. */
function declare (config: string): string[] {
  const onUnRecoverableConfigFileDiagnostic = (problem: ts.Diagnostic): void => { throw new Error(problemsOf([problem]).join()) }
  const parsed = ts.getParsedCommandLineOfConfigFile(config, { noCheck: true }, { ...ts.sys, onUnRecoverableConfigFileDiagnostic })
  const { fileNames, options, errors } = parsed!
  const { diagnostics } = ts.createProgram(fileNames, options, createHost(options)).emit()
  return problemsOf([...errors, ...diagnostics])
}

t.test('the snippets of docs/testing.md run', async t => {
  const env = { TEST_DATABASE_URL: await createDatabase(t) }
  const { stdout } = await runSnippets(t, 'testing-snippets', snippets, { loader: 'ts', args: ['--test-reporter=tap'], env })
    .catch((error: { stdout: string }) => error)
  const failed = [...stdout.matchAll(/^not ok .*?^ {2}\.\.\.$/gms)].map(([text]) => text)
  t.same(failed, [])
  t.match(stdout, new RegExp(`^# pass ${snippets.match(/^test\(/gm)!.length}$`, 'm'))
})
