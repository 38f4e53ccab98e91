-- First-of-month logins as mod_monthly_visitors counts them, by Prosody's own datamanager; prints the seconds of all.
-- lua5.4 monthly_visitors.lua LIB DATA_DIR LOGINS [MODULE_FILE]
-- Its store holds 12 months of 300 keys before the first. With MODULE_FILE the module's own code runs, in the little of
-- Prosody that it needs; without it, the reads and writes that it makes. GeoIP costs nothing here: one place for all.
local lib, data_dir, logins, file = table.unpack(arg);
package.path, package.cpath = lib .. "/?.lua;" .. package.path, lib .. "/?.so;" .. package.cpath;
local datamanager = require "util.datamanager";
local time = require "util.time".now;
datamanager.set_data_path(data_dir);
local host, store_name, month = "example.com", "monthly-visitors", os.date("%Y-%m");

-- As storagemanager makes a map store of a keyval store: the whole table is read for each key, and written for each.
local map = {};
function map:get(username, key)
	return (datamanager.load(username, host, store_name) or {})[key];
end
function map:set(username, key, value)
	local data = datamanager.load(username, host, store_name) or {};
	data[key] = value;
	return datamanager.store(username, host, store_name, data);
end

local function record(username)
	if map:get(username, "last-recorded") == month then return; end
	local counts = map:get(nil, month) or {};
	for _, key in ipairs { "client-?", "geo-DE-BE-2950159" } do counts[key] = (counts[key] or 0) + 1; end
	map:set(nil, month, counts);
	map:set(username, "last-recorded", month);
end

if file then
	local place = { country = { iso_code = "DE" }, subdivisions = { { iso_code = "BE" } }, city = { geoname_id = 2950159 } };
	package.preload.mmdb = function () return { read = function () return { search_ipv4 = function () return place; end }; end }; end
	local bind;
	module = { open_store = function () return map; end, get_option = function (_, _, default) return default; end };
	module.get_option_string = module.get_option;
	module.log = function () end;
	module.hook = function (_, _, handler) bind = handler; end;
	assert(loadfile(file))();
	record = function (username) bind { session = { username = username, ip = "192.0.2.1", resource = "x" } }; end
end

local months = {};
for number = 1, 12 do
	local key = number == 12 and month or ("2001-%02d"):format(number);
	months[key] = {};
	for entry = 1, 300 do months[key][("geo-%02d-%d-%d"):format(entry % 60, entry % 16, 2000000 + entry)] = entry; end
end
assert(datamanager.store(nil, host, store_name, months));
local begun = time();
for number = 1, logins do record("visitor" .. number); end
print(time() - begun);
