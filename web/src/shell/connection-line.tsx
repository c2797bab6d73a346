import { useReadable } from '@parley/client/react'
import { parley } from '../client.ts'

/** Says how the connection is, where that matters to people. */
export function ConnectionLine () {
  const { state } = useReadable(parley)
  return <div class='connection-line' role='status'>{state === 'waiting' && state}</div>
}
