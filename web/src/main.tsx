import { ParleyProvider } from '@parley/client/react'
import { render } from 'preact'
import { App, loadFirstView } from './app.tsx'
import { parley } from './client.ts'
import { followLogin } from './entry/leaving.ts'
import { startUnreadTitle } from './notify/unread-title.ts'
import './people/notices.tsx'
import { loadText } from './text.ts'
import './theme.ts'
import { laterCall, partOf } from './ui/later.tsx'

/** It is loaded while the app shows itself. */
const startBackground = laterCall(partOf(() => import('./background.ts')), module => module.startBackground)

start()

async function start (): Promise<void> {
  await Promise.all([loadText(), loadFirstView()])
  followLogin()
  render(<ParleyProvider client={parley}><App /></ParleyProvider>, document.getElementById('app')!)
  // No view needs a connection to be there.
  parley.connect()
  startUnreadTitle()
  startBackground()
}
