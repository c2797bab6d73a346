import type { Me } from '@parley/client'
import { useReadable } from '@parley/client/react'
import { useEffect } from 'preact/hooks'
import { parley } from './client.ts'
import { arrive, isEntryView } from './entry/arrival.ts'
import { facts } from './facts.ts'
import { route } from './route.ts'
import { Shell } from './shell/shell.tsx'
import { t } from './text.ts'
import { Link } from './ui/button.tsx'
import { Dialogs } from './ui/dialog.tsx'
import { Empty } from './ui/empty.tsx'
import { later, partOf } from './ui/later.tsx'
import { Toasts } from './ui/toast.tsx'

const Admin = later(partOf(() => import('./admin/admin.tsx')), module => module.Admin)
const entry = partOf(() => import('./entry/entry.tsx'))
const Entry = later(entry, module => module.Entry)

/** Loads the entry for people who see it first, so that nothing else is rendered before. If that fails, the view itself says so. */
export async function loadFirstView (): Promise<void> {
  if (needsEntry(parley.account.getSnapshot())) await entry.load().catch(() => {})
}

function needsEntry (me: Me | null): boolean {
  return isEntryView(route.value) || (me === null && !facts.guests)
}

export function App () {
  return (
    <>
      <View />
      <Dialogs />
      <Toasts />
    </>
  )
}

function View () {
  const me = useReadable(parley.account)
  const shown = route.value
  const isEntry = isEntryView(shown)
  // Somebody who is logged in may follow a link from a mail, but has no use for the other views of the entry.
  const isDone = isEntry && (!facts.accounts || (me !== null && !['reset', 'verify'].includes(shown.view)))
  useEffect(() => { if (isDone) arrive() }, [isDone])
  if (isDone) return null
  if (needsEntry(me)) return <Entry />
  if (shown.view === 'admin') return me?.role === 'admin' ? <Admin section={shown.section} /> : <NothingHere />
  return <Shell />
}

/** Stands in place of the console for everybody but administrators. The server would refuse them all of it. */
function NothingHere () {
  return (
    <main>
      <Empty icon='compass'><h1>{t.common.notFound}</h1><p><Link to={{ view: 'home' }}>{t.common.back}</Link></p></Empty>
    </main>
  )
}
