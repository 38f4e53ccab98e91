-- For tests: says in the log when all of the server is loaded, which is later than its ports are open.

module:hook_global("server-started", function ()
	module:log("info", "the server has started");
end);
