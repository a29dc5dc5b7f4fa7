/** Pictures of a generation, by the signed addresses that the server gave. */

import type { GenerationResponse } from 'onepath/client';

export interface Picture {
  url: string;
  width?: number;
  height?: number;
  media_type?: string;
}

export function pictures(generation: GenerationResponse | undefined): Picture[] {
  return (generation?.assets ?? []).flatMap((asset) => (typeof asset.url === 'string' ? [asset as Picture & { url: string }] : []));
}

export function thumbnail(generation: GenerationResponse | undefined): string | undefined {
  return pictures(generation)[0]?.url;
}
