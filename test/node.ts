/**
 * The beginning of a command that runs Node with only these `NODE_OPTIONS`, whatever those of this process are. As in the test's own
 * process, code of the embedded database is not optimized.
 */
export function node (options = ''): [string, ...string[]] {
  return ['env', `NODE_OPTIONS=${options}`, process.execPath, '--liftoff-only']
}
