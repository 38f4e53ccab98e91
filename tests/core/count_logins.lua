-- Counts users' logins as a module of Prosody's would that keeps month users in the store "monthly-visitors".
-- lua5.4 count_logins.lua DATA_DIR HOST MONTH flat|nested PLACE CLIENT USER...   prints the users newly counted.
-- Reads and writes through Prosody's own datamanager; where that is not installed, through Lua's loader.
local data_dir, host, month, shape, place, client = table.unpack(arg, 1, 6)

package.path = "/usr/lib/prosody/?.lua;" .. package.path
package.cpath = "/usr/lib/prosody/?.so;" .. package.cpath

local function plain_storage()
	local function encode(name) return (name:gsub("%W", function (c) return ("%%%02x"):format(c:byte()) end)) end
	local function path(user)
		local store = data_dir .. "/" .. encode(host) .. "/monthly%2dvisitors"
		return (user and store .. "/" .. encode(user) or store) .. ".dat"
	end
	local function text(value)
		if type(value) ~= "table" then return ("%q"):format(value) end
		local lines = {}
		for key, entry in pairs(value) do lines[#lines + 1] = ("[%q] = %s;"):format(key, text(entry)) end
		return "{" .. table.concat(lines, "\n") .. "}"
	end
	local storage = {}
	function storage.load(user)
		local chunk = loadfile(path(user), "t", {})
		return chunk and chunk()
	end
	function storage.store(user, _, _, value)
		local file = assert(io.open(path(user), "w"))
		file:write("return ", text(value), ";\n")
		file:close()
	end
	return storage
end

local has_prosody, storage = pcall(require, "util.datamanager")
if has_prosody then storage.set_data_path(data_dir) else storage = plain_storage() end

local function increment(counts, key) counts[key] = (counts[key] or 0) + 1 end

local function count(counts)
	if shape == "flat" then
		increment(counts, "geo-" .. place)
		increment(counts, "client-" .. client)
		return
	end
	local there = counts[place] or { users_seen = 0, clients_seen = {}, isps_seen = {} }
	counts[place] = there
	increment(there, "users_seen")
	increment(there.clients_seen, client)
	increment(there.isps_seen, "?")
end

for index = 7, #arg do
	local user = arg[index]
	local marker = storage.load(user, host, "monthly-visitors") or {}
	if marker["last-recorded"] ~= month then
		local months = storage.load(nil, host, "monthly-visitors") or {}
		months[month] = months[month] or {}
		count(months[month])
		assert(storage.store(nil, host, "monthly-visitors", months) ~= false)
		assert(storage.store(user, host, "monthly-visitors", { ["last-recorded"] = month }) ~= false)
		print(user)
	end
end
