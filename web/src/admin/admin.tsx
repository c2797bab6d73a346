import { useEffect, useRef } from 'preact/hooks'
import type { FunctionComponent } from 'preact'
import { ConnectionLine } from '../shell/connection-line.tsx'
import { t } from '../text.ts'
import { Link } from '../ui/button.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Announce } from './announce.tsx'
import { ChannelList } from './channel-list.tsx'
import { Codes } from './codes.tsx'
import { Connections } from './connections.tsx'
import { Health } from './health.tsx'
import { Log } from './log.tsx'
import { AllReports } from './all-reports.tsx'
import { a } from './text.ts'
import { Trace } from './trace.tsx'
import { Users } from './users.tsx'

type Section = keyof typeof a.sections

/** The sections by their addresses. What follows a section's name in the address is its `subject`, such as the id of a person. */
const sections: Record<Section, { icon: IconName, Page: FunctionComponent<{ subject: string }> }> = {
  health: { icon: 'chart', Page: Health },
  connections: { icon: 'link', Page: Connections },
  trace: { icon: 'steps', Page: Trace },
  users: { icon: 'people', Page: Users },
  channels: { icon: 'hash', Page: ChannelList },
  reports: { icon: 'flag', Page: AllReports },
  log: { icon: 'clock', Page: Log },
  announcements: { icon: 'megaphone', Page: Announce },
  codes: { icon: 'key', Page: Codes }
}

/** The console of administrators. It is a part of its own, which nobody else loads. */
export function Admin ({ section }: { section: string }) {
  const [name = '', subject = ''] = section.split('/')
  const shown = name in sections ? name as Section : 'health'
  const { Page } = sections[shown]
  const main = useRef<HTMLElement>(null)
  const nav = useRef<HTMLElement>(null)
  const last = useRef(section)
  useEffect(() => {
    // On phones, the sections are one line, which may be longer than the screen.
    nav.current!.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    if (last.current !== section) main.current!.focus()
    last.current = section
  }, [section])
  return (
    <div class='admin'>
      <ConnectionLine />
      <nav ref={nav} class='admin-nav' aria-label={t.admin.title}>
        <Link class='back' to={{ view: 'home' }}><Icon name='back' /><span>{a.backToChat}</span></Link>
        <ul>
          {(Object.keys(sections) as Section[]).map(one => (
            <li key={one}>
              <Link to={{ view: 'admin', section: one }} aria-current={one === shown ? 'page' : undefined}>
                <Icon name={sections[one].icon} />{a.sections[one]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <main id='main' ref={main} tabIndex={-1} class='admin-main'>
        <header><h1 tabIndex={-1}>{a.sections[shown]}</h1><p class='soft'>{a.abouts[shown]}</p></header>
        <Page key={section} subject={subject} />
      </main>
    </div>
  )
}
