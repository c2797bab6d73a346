import { useInbox, useReadable } from '@parley/client/react'
import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { canNotify, changeNotifySettings, notifySettings, turnOnNotifications } from '../notify/notify-settings.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Section } from './section.tsx'

/** Chooses what this browser notifies of. The browser asks for permission only after a click here. */
export function NotifySection () {
  const me = useReadable(parley.account)
  const about = me?.handle ? t.notifications.about(me.handle) : t.notifications.aboutGuests
  return (
    <Section title={t.notifications.title} about={about}>
      {canNotify() ? me && <Choice /> : <p>{t.notifications.unsupported}</p>}
    </Section>
  )
}

function Choice () {
  const permission = useSignal(Notification.permission)
  const isOn = notifySettings.value.isOn && permission.value === 'granted'

  async function toggle (): Promise<void> {
    if (isOn) changeNotifySettings({ isOn: false })
    else await turnOnNotifications()
    permission.value = Notification.permission
  }

  return (
    <>
      {permission.value === 'denied' && <p role='status'>{t.notifications.denied}</p>}
      <p><Button aria-pressed={isOn} onClick={toggle}>{isOn ? t.notifications.turnOff : t.notifications.turnOn}</Button></p>
      {isOn && <Channels />}
    </>
  )
}

/** Chooses channels of which every message is notified. */
function Channels () {
  const { channels } = useInbox()
  const chosen = notifySettings.value.channels

  function choose (name: string, isChosen: boolean): void {
    changeNotifySettings({ channels: isChosen ? [...chosen, name] : chosen.filter(other => other !== name) })
  }

  if (channels.length === 0) return <p class='soft'>{t.notifications.noChannels}</p>
  return (
    <fieldset class='checks'>
      <legend class='label'>{t.notifications.channels}</legend>
      {channels.map(({ name }) => name).sort().map(name => (
        <label key={name}>
          <input type='checkbox' checked={chosen.includes(name)} onChange={event => choose(name, event.currentTarget.checked)} />
          <span class='cut'>#{name}</span>
        </label>
      ))}
    </fieldset>
  )
}
