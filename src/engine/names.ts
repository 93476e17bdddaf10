const ADJECTIVES = (
  "able amber ample azure bold brave bright brisk calm candid clever coastal cosmic crisp daring deft eager early fair fleet " +
  "fond frank free fresh gentle glad golden grand hardy honest humble jolly keen kind lively loyal lucid lucky mellow merry " +
  "mighty modest noble open patient placid plucky polite proud quick quiet ready robust serene sharp silent sober solid " +
  "spry stable steady stout sturdy sunny swift tidal tidy trusty upright vivid warm watchful wise witty zesty"
).split(" ");

const SAILORS = (
  "amundsen baret bass bellingshausen bligh bougainville bowditch byron cabot cartier champlain colum cook cousteau dampier " +
  "darwin davis delano diaz drake duguay earle elcano erikson fitzroy flinders forster freycinet frobisher gama gerlache " +
  "grenfell hadley halley harrison hudson humboldt joshua kotzebue laperouse magellan malaspina maury mercator moitessier " +
  "nansen nares palliser parry peary pytheas quiros ross scoresby shackleton slocum sverdrup tabarly tasman torres vancouver " +
  "vespucci wallis weddell wilkes willoughby worsley zheng"
).split(" ");

/** A name for a container that was given none: `calm_slocum`. `random` answers in [0, 1). */
export function generateName(random: () => number, attempt = 0): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? "";
  const suffix = attempt === 0 ? "" : Math.floor(random() * 10 ** Math.min(attempt, 6)).toString();
  return `${pick(ADJECTIVES)}_${pick(SAILORS)}${suffix}`;
}
