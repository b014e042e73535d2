// Runs the steps of an example and prints what each returned, one line of JSON a step.
export async function run(...steps) {
  for (const step of steps) {
    const told = await step().then(
      (answer) => ({ answer }),
      (error) => ({ error: String(error?.stack ?? error) }),
    );
    console.log(JSON.stringify({ step: step.name, ...told }));
  }
}
