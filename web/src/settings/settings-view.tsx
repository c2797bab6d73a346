import { lazy, Suspense } from 'preact/compat'
import { Loading } from '../ui/loading.tsx'

const SettingsPage = lazy(() => import('./settings-page.tsx'))

/** The person's own account, and how this browser shows the app. It is a part of its own, which is loaded when somebody opens it. */
export function SettingsView () {
  return <Suspense fallback={<Loading />}><SettingsPage /></Suspense>
}
