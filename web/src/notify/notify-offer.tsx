import { useInbox } from '@parley/client/react'
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { load, save } from '../keep.ts'
import { Line } from '../lines/line.tsx'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { toast } from '../ui/toast.tsx'
import { canNotify, notifySettings, turnOnNotifications } from './notify-settings.ts'

type Offer = 'not yet' | 'shown' | 'answered'

const offer = signal<Offer>(load('notify-offered', value => value === true || !canNotify() ? 'answered' : 'not yet'))

/** Offers notifications, once, when the first direct message has come. */
export function NotifyOffer () {
  if (offer.value === 'not yet') return <FirstDirect />
  if (offer.value === 'answered' || notifySettings.value.isOn || Notification.permission !== 'default') return null
  return (
    <Line icon='bell' kind='info' onClose={answered}>
      {t.notifications.offer} <Button kind='link' onClick={turnOn}>{t.notifications.turnOn}</Button>
    </Line>
  )
}

/** Waits for the first direct message. It follows the inbox alone, because to read the permission takes milliseconds. */
function FirstDirect () {
  const hasMessage = useInbox().directs.some(({ unread_count: unread }) => unread > 0)
  useEffect(() => { if (hasMessage) offer.value = 'shown' }, [hasMessage])
  return null
}

function answered (): void {
  save('notify-offered', true)
  offer.value = 'answered'
  document.getElementById('main')?.focus()
}

async function turnOn (): Promise<void> {
  const isOn = await turnOnNotifications()
  answered()
  toast(isOn ? t.notifications.isOn : t.notifications.denied)
}
