import type { Channel } from '@parley/client'
import { signal } from '@preact/signals'
import { parley } from '../client.ts'

/** Most open reports that are counted. */
const MOST = 100

/** How many reports are open in each channel that this user moderates, by channel name, as far as it is known. 100 means 100 or more. */
export const openReports = signal<Readonly<Record<string, number>>>({})

/** Counts the open reports of a channel anew. @throws ParleyError */
export async function countReports (channel: Pick<Channel, 'name'>): Promise<void> {
  const { name } = channel
  const { reports } = await parley.rest('GET /api/channels/:name/reports', { params: { name }, query: { status: 'open', limit: MOST } })
  openReports.value = { ...openReports.value, [name]: reports.length }
}
