/** Over HTTP: `/?door=NAME` says what the door says, `/?store=NAME` runs the contract on a store. */
import { storeContract } from '@mcp-oauth/server/testing'
import { sqlite } from '@mcp-oauth/server/stores/sqlite'
import { upstashFromEnvironment } from '@mcp-oauth/server/stores/upstash'
import { holds, tryDoor } from './doors.ts'

export async function answerDoors(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url)
  const directory = process.env['DIRECTORY'] ?? '.'
  const door = searchParams.get('door')
  if (door !== null) return new Response(await tryDoor(door, directory))
  const store = searchParams.get('store')
  if (store === null) return new Response('ready')
  let count = 0
  const createStore = () => {
    count += 1
    const prefix = `${process.pid}-${count}`
    return store === 'upstash'
      ? upstashFromEnvironment(process.env, { prefix })
      : sqlite(`${directory}/${prefix}.db`)
  }
  try {
    return new Response(`${await holds(storeContract, createStore)} hold`)
  } catch (error) {
    return new Response(String(error))
  }
}
