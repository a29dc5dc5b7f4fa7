/** Files of the user's disk: opened, and written back byte for byte. */

/** A file that was opened. */
export interface Opened {
  name: string;
  text: string;
  /** What stood before the text; it is written back. */
  mark: string;
  /** Where it is written back, if the browser lets a page do so. */
  handle?: FileSystemFileHandle | undefined;
}

declare global {
  interface Window {
    showOpenFilePicker?: (options: object) => Promise<FileSystemFileHandle[]>;
  }
}

const MARK = '\uFEFF';
const LARGEST = 16 * 1024 * 1024;

export async function read(file: File, handle?: FileSystemFileHandle): Promise<Opened> {
  if (file.size > LARGEST) throw new Error(`${file.name} is larger than 16 MB: a scene file is a few hundred KB at most`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name} is not UTF-8 text: save it as UTF-8, or open another file`);
  }
  const mark = text.startsWith(MARK) ? MARK : '';
  return { name: file.name, text: text.slice(mark.length), mark, handle };
}

/** Asks for a file with the browser's own dialog, which allows to write it back; undefined if there is no such dialog. */
export function picker(): (() => Promise<Opened | undefined>) | undefined {
  if (!window.showOpenFilePicker) return undefined;
  return async () => {
    try {
      const types = [{ description: 'Scene files', accept: { 'application/json': ['.json'] } }];
      const [handle] = await window.showOpenFilePicker!({ types });
      return handle && read(await handle.getFile(), handle);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return undefined;
      throw error;
    }
  };
}

/** Writes a file back where it came from, else hands it over as a download. */
export async function save(file: Opened, text: string): Promise<'written' | 'downloaded'> {
  const blob = new Blob([file.mark, text], { type: 'application/json' });
  if (file.handle) {
    const stream = await file.handle.createWritable();
    await stream.write(blob);
    await stream.close();
    return 'written';
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return 'downloaded';
}
