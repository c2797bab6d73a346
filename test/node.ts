/**
 * The beginning of a command that runs Node with only these `NODE_OPTIONS`. Otherwise every Node process that a test starts would load
 * a part of tap, which takes half a second each time.
 */
export function node (options = ''): [string, ...string[]] {
  return ['env', `NODE_OPTIONS=${options}`, process.execPath]
}
