// Milliseconds from the import of the package to its first answer, in a program that is a file.

const start = performance.now();
const { contractVersion } = await import('onepath');
contractVersion();
console.log(performance.now() - start);
