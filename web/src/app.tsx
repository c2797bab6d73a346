import { useReadable } from '@parley/client/react'
import { lazy, Suspense } from 'preact/compat'
import { useEffect } from 'preact/hooks'
import { parley } from './client.ts'
import { Entry } from './entry/entry.tsx'
import { facts } from './facts.ts'
import { go, route } from './route.ts'
import { Shell } from './shell/shell.tsx'
import { Dialogs } from './ui/dialog.tsx'
import { Loading } from './ui/loading.tsx'
import { Toasts } from './ui/toast.tsx'

const Admin = lazy(() => import('./admin/admin.tsx'))

/** Views for people who are not logged in. Reset and verification links work for everybody. */
const ENTRY_VIEWS = ['login', 'register', 'forgot', 'reset', 'verify']

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
  const isEntry = ENTRY_VIEWS.includes(shown.view)
  const isDone = me !== null && ['login', 'register', 'forgot'].includes(shown.view)
  useEffect(() => { if (isDone) go({ view: 'home' }, { replace: true }) }, [isDone])
  if (isDone) return null
  if (isEntry || (me === null && !facts.guests)) return <Entry />
  if (shown.view === 'admin') return <Suspense fallback={<Loading />}><Admin section={shown.section} /></Suspense>
  return <Shell />
}
