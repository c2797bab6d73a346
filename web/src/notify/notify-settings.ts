import { signal } from '@preact/signals'
import { load, save } from '../keep.ts'

/** `channels`: the names of channels of which every message is notified, not only mentions. */
export interface NotifySettings { isOn: boolean, channels: readonly string[] }

/** The settings of this browser's notifications, for all its tabs. */
export const notifySettings = signal(loadNotifySettings())

/** Reads the settings as they are now. Another tab may have changed them. */
export function loadNotifySettings (): NotifySettings {
  return load('notify', value => {
    const { isOn, channels } = (value ?? {}) as Partial<NotifySettings>
    return { isOn: isOn === true, channels: Array.isArray(channels) ? channels.filter(name => typeof name === 'string') : [] }
  })
}

export function changeNotifySettings (change: Partial<NotifySettings>): void {
  notifySettings.value = { ...loadNotifySettings(), ...change }
  save('notify', notifySettings.value)
}

/** Whether this browser could notify. Tabs need locks, so that only one of them does. */
export function canNotify (): boolean {
  return 'Notification' in globalThis && 'serviceWorker' in navigator && 'locks' in navigator
}

/** Asks for permission, if nobody has answered yet, and switches notifications on. @returns whether they are on. */
export async function turnOnNotifications (): Promise<boolean> {
  const isAllowed = await Notification.requestPermission() === 'granted'
  changeNotifySettings({ isOn: isAllowed })
  return isAllowed
}
