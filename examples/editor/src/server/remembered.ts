/** The last generation of each node, remembered in the browser beside the file and never in it. */

const PREFIX = 'onepath:last:';

function name(file: string, node: string): string {
  return `${PREFIX}${JSON.stringify([file, node])}`;
}

export function remember(file: string, node: string, generation: string): void {
  try {
    localStorage.setItem(name(file, node), generation);
  } catch {
    // A full or forbidden storage costs the memory, not the generation.
  }
}

export function remembered(file: string, node: string): string | undefined {
  try {
    return localStorage.getItem(name(file, node)) ?? undefined;
  } catch {
    return undefined;
  }
}

export function forget(file: string, node: string): void {
  localStorage.removeItem(name(file, node));
}
