// OpenAI's own package for Node. Only the base URL and the key are Model Router's.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { run } from "./steps.mjs";

const client = new OpenAI({
  baseURL: process.env.BASE_URL ?? "http://127.0.0.1:3000/v1",
  apiKey: process.env.API_KEY ?? "ak-demo123",
});
const model = "gpt-3.5-turbo";
const messages = [{ role: "user", content: "hello" }];

const getWeather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Tells the weather of a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    parse: JSON.parse,
    function: ({ city }) => `sunny in ${city}`,
  },
};

async function completion() {
  const answer = await client.chat.completions.create({ model, messages });
  return { text: answer.choices[0].message.content, usage: answer.usage };
}

async function tools() {
  const asked = [{ role: "user", content: "use get_weather" }];
  const runner = client.chat.completions.runTools({ model, messages: asked, tools: [getWeather] });
  const text = await runner.finalContent();
  return { text, roles: runner.messages.map((message) => message.role) };
}

async function structured() {
  const Weather = z.object({ city: z.string(), degrees: z.number().int() });
  const format = zodResponseFormat(Weather, "weather");
  const answer = await client.chat.completions.parse({ model, messages, response_format: format });
  return answer.choices[0].message.parsed;
}

async function models() {
  const found = [];
  for await (const listed of client.models.list()) found.push(listed.id);
  return { found, shown: (await client.models.retrieve(model)).id };
}

async function refusal() {
  const refused = await client.withOptions({ apiKey: "wrong" }).models.list().catch((error) => error);
  return { isItsClass: refused instanceof OpenAI.AuthenticationError, status: refused.status, code: refused.code };
}

async function stream() {
  const pieces = [];
  const options = { include_usage: true };
  const chunks = await client.chat.completions.create({ model, messages, stream: true, stream_options: options });
  let usage = null;
  for await (const chunk of chunks) {
    if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content);
    usage = chunk.usage ?? usage;
  }
  return { pieces: pieces.length, text: pieces.join(""), usage };
}

async function streamedTools() {
  const asked = [{ role: "user", content: "use get_weather" }];
  const runner = client.chat.completions.runTools({ model, messages: asked, tools: [getWeather], stream: true });
  return { text: await runner.finalContent(), roles: runner.messages.map((message) => message.role) };
}

async function embeddings() {
  const answer = await client.embeddings.create({ model: "gemini-embedding-001", input: ["one", "two"] });
  return answer.data.map((item) => item.embedding.length);
}

await run(completion, tools, structured, models, refusal, stream, streamedTools, embeddings);
