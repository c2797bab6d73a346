import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform, type TransformOptions } from 'esbuild'
import { root } from '../scripts/root.ts'
import type { Scope } from './helper.ts'
import { node } from './node.ts'

const execute = promisify(execFile)

/** Reads the blocks of code in these languages from a page of docs/. */
export function snippetsOf (page: string, ...languages: string[]): string[] {
  const text = readFileSync(join(root, 'docs', page), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`(?:${languages.join('|')})\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code!)
}

/**
 * Runs code as an application that has installed both packages, with a global WebSocket, as browsers and Node 22 have it.
 * @param name the name of its folder in dist/test, which is removed when the test ends.
 * @returns its output. @throws Error if it exits with another code than 0: its `stdout` is the output.
 */
export async function runSnippets (
  t: Scope, name: string, code: string, { args = [], env = {}, ...options }: TransformOptions & { args?: string[], env?: NodeJS.ProcessEnv }
): Promise<{ stdout: string, stderr: string }> {
  // Node finds the packages from here.
  const folder = join(root, 'dist/test', name)
  mkdirSync(folder, { recursive: true })
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'page.mjs')
  writeFileSync(file, (await transform(code, { ...options, format: 'esm', target: 'node20' })).code)
  const [command, ...rest] = node('--experimental-websocket --no-warnings')
  return execute(command, [...rest, ...args, file], { env: { ...process.env, ...env } })
}
