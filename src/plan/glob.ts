// Patterns over flow ids: `*` is any text, `?` one character. Pure.

/** In time proportional to both lengths' product, whatever the pattern. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let starText = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      starText = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** A pattern names a flow by its bare id or by `profile/flow`. */
export function matchesFlow(pattern: string, profile: string, flow: string): boolean {
  return globMatches(pattern, flow) || globMatches(pattern, `${profile}/${flow}`);
}
