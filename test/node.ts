/** The beginning of a command that runs Node with only these `NODE_OPTIONS`, whatever those of this process are. */
export function node (options = ''): [string, ...string[]] {
  return ['env', `NODE_OPTIONS=${options}`, process.execPath]
}
