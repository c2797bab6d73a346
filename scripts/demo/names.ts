/** Given and family names that go together, and the language that their people may also write in. */
export interface NameGroup {
  language: string
  /** Hours that their clocks are ahead of UTC. */
  zone: number
  /** How many of a hundred people belong to the group. */
  share: number
  given: string[]
  family: string[]
}

export const nameGroups: NameGroup[] = [
  {
    language: 'english', zone: 0, share: 24,
    given: ['Alice', 'Ben', 'Clara', 'Dylan', 'Edith', 'Finn', 'Grace', 'Harvey', 'Isla', 'Jamie', 'Kit', 'Lottie', 'Martha', 'Ned'],
    family: ['Ashdown', 'Brindle', 'Cartwright', 'Dunmore', 'Ellerby', 'Fairweather', 'Garside', 'Hollins', 'Mossgrove', 'Tillotson']
  },
  {
    language: 'english', zone: -5, share: 14,
    given: ['Avery', 'Casey', 'Devon', 'Jada', 'Marcus', 'Nora', 'Quinn', 'Riley', 'Skyler', 'Tess'],
    family: ['Bellwood', 'Carrow', 'Drayton', 'Kessler', 'Loomis', 'Oakes', 'Pruett', 'Wexley']
  },
  {
    language: 'german', zone: 1, share: 13,
    given: ['Anke', 'Björn', 'Dörte', 'Friedrich', 'Jürgen', 'Käthe', 'Lukas', 'Mareike', 'Sören', 'Ulrike'],
    family: ['Ackermann', 'Böttcher', 'Größner', 'Hülsmann', 'Krämer', 'Lüders', 'Österreich', 'Weißbach']
  },
  {
    language: 'french', zone: 1, share: 9,
    given: ['Amélie', 'Benoît', 'Chloé', 'Éloïse', 'François', 'Gaëlle', 'Jérôme', 'Maëlys'],
    family: ['Beauvillier', 'Châtelain', 'Desrosiers', 'Fauré-Lavigne', 'Lefèbvre', 'Montclair', 'Tréguier']
  },
  {
    language: 'spanish', zone: 1, share: 9,
    given: ['Begoña', 'Íñigo', 'Joaquín', 'Lucía', 'Martín', 'Noelia', 'Raúl', 'Ximena'],
    family: ['Aguirre', 'Castañeda', 'Íbarra', 'Muñiz', 'Peñalver', 'Quintana', 'Zúñiga']
  },
  {
    language: 'arabic', zone: 2, share: 6,
    given: ['Amal', 'Hisham', 'Layla', 'Nadim', 'Rania', 'Tariq'],
    family: ['Barakat', 'Darwazeh', 'Mansouri', 'Qabbani', 'Zeidan']
  },
  {
    language: 'hebrew', zone: 2, share: 4,
    given: ['Ayelet', 'Eitan', 'Noga', 'Shira', 'Yonatan'],
    family: ['Alkalay', 'Ben-Ami', 'Kadosh', 'Shoham']
  },
  {
    language: 'japanese', zone: 9, share: 6,
    given: ['Aoi', 'Haruka', 'Kenta', 'Mio', 'Sōta', 'Yūna'],
    family: ['Hayashida', 'Kuroki', 'Minamoto', 'Ōkubo', 'Shirakawa']
  },
  {
    language: 'english', zone: 1, share: 7,
    given: ['Bożena', 'Jiří', 'Kateřina', 'Łukasz', 'Małgorzata', 'Zoltán'],
    family: ['Dvořáček', 'Gąsiorowski', 'Szőke', 'Šimůnek', 'Żurawski']
  },
  {
    language: 'english', zone: 1, share: 4,
    given: ['Åsa', 'Bjørn', 'Ingrid', 'Jón', 'Øystein'],
    family: ['Bergström', 'Eiríksdóttir', 'Hæggernes', 'Nygård']
  },
  {
    language: 'english', zone: 5, share: 4,
    given: ['Ananya', 'Dhruv', 'Ishaan', 'Meera', 'Sanjana'],
    family: ['Bhaskaran', 'Deshmukh', 'Kulkarni', 'Ranganathan']
  }
]

/** Names that a page has to show well: right to left, in other scripts, very long, and very short. `given` is how others address them. */
export const specialNames: Array<{ name: string, given: string, handle: string, language: string, zone: number }> = [
  { name: 'سلمى الحداد', given: 'سلمى', handle: 'salma_h', language: 'arabic', zone: 2 },
  {
    name: 'Maximiliane-Theodora Wolkenstein von und zu Hohenfels-Rosenau', given: 'Maxi', handle: 'maximiliane_theodora',
    language: 'german', zone: 1
  },
  { name: '白川 さくら', given: 'さくらさん', handle: 'sakura_s', language: 'japanese', zone: 9 },
  { name: 'נועה שחר', given: 'נועה', handle: 'noa_shachar', language: 'hebrew', zone: 2 },
  { name: 'Jo', given: 'Jo', handle: 'jo_from_number_nine', language: 'english', zone: 0 },
  { name: 'Wren 🌻', given: 'Wren', handle: 'wren', language: 'english', zone: 0 }
]
