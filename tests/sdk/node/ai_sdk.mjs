// Vercel's AI SDK with its provider for OpenAI-compatible servers. Only the base URL and the key are Model Router's.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { run } from "./steps.mjs";

const router = createOpenAICompatible({
  name: "model-router",
  baseURL: process.env.BASE_URL ?? "http://127.0.0.1:3000/v1",
  apiKey: process.env.API_KEY ?? "ak-demo123",
  supportsStructuredOutputs: true,
  includeUsage: true,
});
const model = router("gpt-3.5-turbo");

const tools = {
  get_weather: tool({
    description: "Tells the weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `sunny in ${city}`,
  }),
};

async function text() {
  const answer = await generateText({ model, prompt: "hello" });
  return { text: answer.text, finish: answer.finishReason, tokens: answer.usage.totalTokens };
}

async function toolCall() {
  const answer = await generateText({ model, tools, stopWhen: stepCountIs(3), prompt: "use get_weather" });
  const called = answer.steps.flatMap((step) => step.toolCalls.map((call) => call.toolName));
  return { called, finishes: answer.steps.map((step) => step.finishReason), text: answer.text };
}

async function structured() {
  const schema = z.object({ city: z.string(), degrees: z.number().int() });
  const answer = await generateText({ model, prompt: "hello", output: Output.object({ schema }) });
  return answer.output;
}

async function stream() {
  const answer = streamText({ model, prompt: "hello", onError: () => {} });
  const pieces = [];
  for await (const piece of answer.textStream) pieces.push(piece);
  const { totalTokens } = await answer.usage;
  return { pieces: pieces.length, text: pieces.join(""), finish: await answer.finishReason, tokens: totalTokens };
}

async function streamedToolCall() {
  const answer = streamText({ model, tools, stopWhen: stepCountIs(3), prompt: "use get_weather", onError: () => {} });
  await answer.consumeStream();
  const steps = await answer.steps;
  return { called: steps.flatMap((step) => step.toolCalls.map((call) => call.toolName)), text: await answer.text };
}

async function embeddings() {
  const answer = await embedMany({ model: router.embeddingModel("gemini-embedding-001"), values: ["one", "two"] });
  return answer.embeddings.map((embedding) => embedding.length);
}

await run(text, toolCall, structured, stream, streamedToolCall, embeddings);
