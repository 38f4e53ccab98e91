-- For tests: lets the real mod_measure_active_users calculate when asked, not 15 seconds after its start.

module:depends "http";
module:provides("http", {
	route = {
		GET = function ()
			local measure = require "core.modulemanager".get_module(module.host, "measure_active_users");
			measure.update_calculations();
			return "calculated";
		end;
	};
});
