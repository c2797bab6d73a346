import { useReadable } from '@parley/client/react'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { IconLink } from '../ui/button.tsx'
import { AccountSection } from './account-section.tsx'
import { AppearanceSection } from './appearance-section.tsx'
import { BlocksSection } from './blocks-section.tsx'
import { LoginsSection } from './logins-section.tsx'
import { NotifySection } from './notify-section.tsx'
import { PasswordSection } from './password-section.tsx'
import { ProfileSection } from './profile-section.tsx'

/** Guests have no account, so they see only what concerns this browser. */
export function SettingsPage () {
  const hasAccount = useReadable(parley.account) !== null
  return (
    <div class='settings'>
      <header class='settings-header'>
        <IconLink class='back' icon='back' label={t.common.back} to={{ view: 'home' }} />
        <h1>{t.settings.title}</h1>
      </header>
      <div class='sections'>
        {hasAccount && <ProfileSection />}
        <AppearanceSection />
        <NotifySection />
        {hasAccount && <><PasswordSection /><LoginsSection /><BlocksSection /><AccountSection /></>}
      </div>
    </div>
  )
}
