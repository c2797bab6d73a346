import { parley } from '../client.ts'

/** Milliseconds that the server may take. */
const PATIENCE = 600_000

/** Downloads everything that the server keeps of this person. @returns false if the file is incomplete: then it is not saved [P71]. */
export async function downloadData (): Promise<boolean> {
  const lines = await parley.rest('GET /api/me/export', {}, { timeout: PATIENCE })
  const lastLine = lines.trimEnd().split('\n').at(-1)!
  if ((JSON.parse(lastLine) as { type: string }).type !== 'end') return false
  const address = URL.createObjectURL(new Blob([lines], { type: 'application/x-ndjson' }))
  const link = document.createElement('a')
  link.href = address
  link.download = `parley-${new Date().toISOString().slice(0, 10)}.ndjson`
  link.click()
  // The browser has begun to save it by the next turn.
  setTimeout(() => URL.revokeObjectURL(address))
  return true
}
