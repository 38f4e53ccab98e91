-- Reads all of a host's stores of users by Prosody's own datamanager: lua5.4 read_stores.lua LIB DATA_DIR HOST STORE...
local lib, data_dir, host = arg[1], arg[2], arg[3];
package.path, package.cpath = lib .. "/?.lua;" .. package.path, lib .. "/?.so;" .. package.cpath;
local datamanager = require "util.datamanager";
datamanager.set_data_path(data_dir);

local found = {};
for i = 4, #arg do
	for username in datamanager.users(host, arg[i]) do
		if datamanager.load(username, host, arg[i]) then found[username] = true; end
	end
end
local users = 0;
for _ in pairs(found) do users = users + 1; end
print(users);
