import { useReadable } from '@parley/client/react'
import { lazy, Suspense } from 'preact/compat'
import { useEffect } from 'preact/hooks'
import { parley } from './client.ts'
import { arrive, isEntryView } from './entry/arrival.ts'
import { facts } from './facts.ts'
import { route } from './route.ts'
import { Shell } from './shell/shell.tsx'
import { Dialogs } from './ui/dialog.tsx'
import { later } from './ui/later.tsx'
import { Loading } from './ui/loading.tsx'
import { Toasts } from './ui/toast.tsx'

const Admin = lazy(() => import('./admin/admin.tsx'))
const Entry = later(async () => (await import('./entry/entry.tsx')).Entry)

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
  if (isEntry || (me === null && !facts.guests)) return <Entry />
  if (shown.view === 'admin') return <Suspense fallback={<Loading />}><Admin section={shown.section} /></Suspense>
  return <Shell />
}
