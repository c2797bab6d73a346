// Runs test files in child processes, several at a time. tap's own runner would load a part of itself into every Node process that a
// test starts, which costs each one CPU second, and runs the files in the order of their names.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** How many processes run at a time. Many of the tests wait most of the time. */
const JOBS = 8
/** Milliseconds that one process may take. It ends each file earlier that takes too long (test/tap.ts). */
const TIMEOUT = 2 * 3_600_000
/**
 * Options of Node for every process. Tests run the embedded database too briefly for optimized code of it to be worth its compilation,
 * which is a fifth of what such a test costs.
 */
const OPTIONS = ['--enable-source-maps', '--liftoff-only']

/**
 * Runs compiled test files, which are in dist/test, each list in its order. Prints the TAP of each process when it ends, as a subtest.
 * @param alone files that get a process of their own.
 * @param shared files that share processes: each process begins the next one that is left when it has run one. A process of its own would
 * cost each of them two CPU seconds to load tap and the whole server, and four more until the code that all files use is compiled.
 * @param signal stops all processes.
 * @returns `{ ok, output }`: whether all files succeeded, and what was printed.
 */
export async function runTests ({ alone, shared }, env, signal) {
  const waiting = [...alone]
  // The processes create a file here for each one that they begin (test/run.ts).
  const begun = mkdtempSync(join(tmpdir(), 'parley-begun-'))
  const isLeft = file => !existsSync(join(begun, encodeURIComponent(file)))
  const printed = []
  let done = 0
  let ok = true
  const print = text => {
    printed.push(text)
    process.stdout.write(text)
  }
  const work = async () => {
    while (!signal.aborted) {
      const files = waiting.length > 0 ? [waiting.shift()] : shared.filter(isLeft)
      if (files.length === 0) return
      const { output, failure } = await runProcess({ ...env, TEST_BEGUN: begun, TEST_FILES: files.join(' ') }, signal)
      if (failure) ok = false
      done++
      print(toSubtest(done, `process ${done}`, output, failure))
      // A process that cannot even begin a file would fail again and again.
      if (files.every(isLeft)) return
    }
  }
  print('TAP version 14\n')
  try {
    await Promise.all(Array.from({ length: Math.min(JOBS, alone.length + shared.length) }, work))
  } finally {
    rmSync(begun, { recursive: true })
  }
  print(`1..${done}\n`)
  return { ok: ok && !signal.aborted, output: printed.join('') }
}

/** Runs test/run.ts in a process. Resolves with what it printed, and with the reason if it failed. */
async function runProcess (env, signal) {
  const child = spawn(process.execPath, [...OPTIONS, join(root, 'dist/test/run.js')], {
    cwd: root,
    // `TAP` makes tap print plain TAP.
    env: { ...env, TAP: '1' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const chunks = []
  child.stdout.on('data', chunk => { chunks.push(chunk) })
  const stop = () => { child.kill('SIGTERM') }
  signal.addEventListener('abort', stop)
  const timer = setTimeout(() => { child.kill('SIGKILL') }, TIMEOUT)
  const [code, endedBy] = await once(child, 'close')
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
  const output = Buffer.concat(chunks).toString()
  return { output, failure: failureOf(output, code, endedBy) }
}

/** A process without a plan has not come to its end. */
function failureOf (output, code, endedBy) {
  if (endedBy !== null) return `ended by ${endedBy}`
  if (code !== 0) return `exit code ${code}`
  return /^1\.\.[1-9]/m.test(output) ? null : 'not all files were run'
}

function toSubtest (number, name, output, failure) {
  const lines = output.split('\n').filter(line => line !== '' && !line.startsWith('TAP version')).map(line => `    ${line}\n`).join('')
  const diagnosis = failure === null ? '' : `  ---\n  reason: ${failure}\n  ...\n`
  return `# Subtest: ${name}\n${lines}${failure === null ? 'ok' : 'not ok'} ${number} - ${name}\n${diagnosis}`
}
