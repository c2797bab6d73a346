import { chooseLanguage, language, languages, t } from '../text.ts'
import { theme } from '../theme.ts'
import { Section } from './section.tsx'

/** Chooses the theme and the language of this browser. */
export function AppearanceSection () {
  return (
    <Section title={t.settings.appearance}>
      <fieldset class='choices'>
        <legend class='label'>{t.settings.theme}</legend>
        {(['system', 'light', 'dark'] as const).map(choice => (
          <label key={choice}>
            <input type='radio' name='theme' checked={theme.value === choice} onChange={() => { theme.value = choice }} />
            <span>{t.settings[choice]}</span>
          </label>
        ))}
      </fieldset>
      <fieldset class='choices'>
        <legend class='label'>{t.settings.language}</legend>
        {Object.entries(languages).map(([tag, { name }]) => (
          <label key={tag}>
            <input type='radio' name='language' checked={tag === language} onChange={() => chooseLanguage(tag)} />
            <span lang={tag}>{name}</span>
          </label>
        ))}
      </fieldset>
    </Section>
  )
}
