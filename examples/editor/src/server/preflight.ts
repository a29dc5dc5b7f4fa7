/** What a run would be answered with, asked again whenever the request has changed. */

import type { GenerateContentRequest } from 'onepath';
import type { Client, PreflightResponse } from 'onepath/client';
import { useEffect, useState } from 'react';

export interface Preflight {
  answer?: PreflightResponse;
  error?: unknown;
  isAsking: boolean;
}

/** How long typing must pause before the server is asked, in milliseconds. */
const PAUSE = 300;

export function usePreflight(client: Client, request: GenerateContentRequest | undefined, request_hash: string | undefined, again: unknown): Preflight {
  const [known, setKnown] = useState<Preflight & { hash?: string }>({ isAsking: false });
  const text = request && JSON.stringify(request);
  useEffect(() => {
    if (!request || request_hash === undefined) {
      setKnown({ isAsking: false });
      return;
    }
    const controller = new AbortController();
    setKnown((before) => (before.hash === request_hash ? { ...before, isAsking: true } : { isAsking: true }));
    const timer = setTimeout(() => {
      client.preflight({ request, request_hash }, { signal: controller.signal }).then(
        (answer) => setKnown({ answer, isAsking: false, hash: request_hash }),
        (error: unknown) => controller.signal.aborted || setKnown({ error, isAsking: false }),
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [client, text, request_hash, again]);
  return known;
}
