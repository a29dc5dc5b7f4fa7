// Prints what failed, and closes with the line that `cargo xtask test` counts.

export default async function* reporter(events) {
  let passed = 0;
  let failed = 0;
  for await (const { type, data } of events) {
    if (type === 'test:pass' && data.details.type !== 'suite') passed += 1;
    if (type === 'test:fail' && data.details.type !== 'suite') {
      failed += 1;
      const error = data.details.error;
      yield `not ok: ${data.name}\n${error?.cause?.stack ?? error?.stack ?? error}\n`;
    }
    if (type === 'test:diagnostic' && data.message.startsWith('note: ')) yield `${data.message}\n`;
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
  }
  yield `test result: ${failed === 0 ? 'ok' : 'FAILED'}. ${passed} passed; ${failed} failed\n`;
}
