import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const SERVER = 'http://127.0.0.1:7700';

export default defineConfig({
  // Served at `/` and below `/editor/`: addresses are relative to where the page stands.
  base: '/editor/',
  plugins: [react()],
  build: {
    target: 'es2023',
    // A strict policy forbids `data:` in scripts and styles; files are files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
    emptyOutDir: true,
  },
  // `npm run dev` speaks to a server that runs beside it.
  server: { proxy: { '/api': SERVER, '/version': SERVER } },
});
