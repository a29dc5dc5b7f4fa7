/** The key of the server: it comes behind the `#` of the address, which browsers send to nobody. */

const NAME = 'onepath:key';

/** Takes the key out of the address, where it would stay in the history. */
export function takeKey(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get('key');
  if (given) {
    sessionStorage.setItem(NAME, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(NAME) ?? '';
}

export function keepKey(key: string): void {
  if (key === '') sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, key);
}
