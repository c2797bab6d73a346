// Runs test programs in child processes, several at a time. tap's own runner would load a part of itself into every Node process that a
// program starts, which costs each one CPU second, and runs the programs in the order of their names.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { relative } from 'node:path'
import { root } from './setup.mjs'

/** How many programs run at a time. Many of them wait most of the time. */
const JOBS = 6
/** Seconds that one program may take. */
const TIMEOUT = 2400
/**
 * Options of Node for every program. Tests run the embedded database too briefly for optimized code of it to be worth its compilation,
 * which is a fifth of what such a test costs.
 */
const OPTIONS = ['--enable-source-maps', '--liftoff-only']

/**
 * Runs programs in the given order. Prints the TAP of each one when it ends, as a subtest of its own.
 * @param signal stops all programs.
 * @returns `{ ok, output }`: whether all programs succeeded, and what was printed.
 */
export async function runPrograms (programs, env, signal) {
  const waiting = [...programs]
  const printed = []
  let done = 0
  let ok = true
  const print = text => {
    printed.push(text)
    process.stdout.write(text)
  }
  const work = async () => {
    while (waiting.length > 0 && !signal.aborted) {
      const program = waiting.shift()
      const { output, failure } = await runProgram(program, env, signal)
      if (failure) ok = false
      print(toSubtest(++done, relative(root, program), output, failure))
    }
  }
  print('TAP version 14\n')
  await Promise.all(Array.from({ length: JOBS }, work))
  print(`1..${done}\n`)
  return { ok: ok && !signal.aborted, output: printed.join('') }
}

/** Resolves with what a program printed, and with the reason if it failed. */
async function runProgram (program, env, signal) {
  const child = spawn(process.execPath, [...OPTIONS, program], {
    cwd: root,
    // `TAP` makes tap print plain TAP.
    env: { ...env, TAP: '1', TAP_TIMEOUT: String(TIMEOUT) },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const chunks = []
  child.stdout.on('data', chunk => { chunks.push(chunk) })
  const stop = () => { child.kill('SIGTERM') }
  signal.addEventListener('abort', stop)
  // A program that has not ended itself by then does not react to SIGTERM either.
  const timer = setTimeout(() => { child.kill('SIGKILL') }, (TIMEOUT + 10) * 1000)
  const [code, endedBy] = await once(child, 'close')
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
  const output = Buffer.concat(chunks).toString()
  return { output, failure: failureOf(output, code, endedBy) }
}

/** A program without a plan has not come to its end, or has no tests. */
function failureOf (output, code, endedBy) {
  if (endedBy !== null) return `ended by ${endedBy}`
  if (code !== 0) return `exit code ${code}`
  return /^1\.\.[1-9]/m.test(output) ? null : 'no tests'
}

function toSubtest (number, name, output, failure) {
  const lines = output.split('\n').filter(line => line !== '' && !line.startsWith('TAP version')).map(line => `    ${line}\n`).join('')
  const diagnosis = failure === null ? '' : `  ---\n  reason: ${failure}\n  ...\n`
  return `# Subtest: ${name}\n${lines}${failure === null ? 'ok' : 'not ok'} ${number} - ${name}\n${diagnosis}`
}
