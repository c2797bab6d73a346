import { dirname } from 'node:path'
import ts from 'typescript'

/** The declarations of the language, of browsers and of Node as they were read for the first program. */
const libraries = new Map<string, ts.SourceFile | undefined>()

/** Creates the host of a TypeScript program. All programs share the compiler's own declarations: to read them takes half a CPU second. */
export function createHost (options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  const folder = dirname(ts.getDefaultLibFilePath(options))
  const { getSourceFile } = host
  host.getSourceFile = (name, ...rest) => {
    if (dirname(name) !== folder) return getSourceFile(name, ...rest)
    if (!libraries.has(name)) libraries.set(name, getSourceFile(name, ...rest))
    return libraries.get(name)
  }
  return host
}

/** Says what a program's compiler has found, a line for each. */
export function problemsOf (found: readonly ts.Diagnostic[]): string[] {
  return found.map(({ messageText, start, file }) =>
    `${file?.fileName}:${file?.text.slice(0, start).split('\n').length}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
}
